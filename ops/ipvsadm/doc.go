// Package ipvsadm is the program ipvsadm 1.31, with its companions ipvsadm-save
// and ipvsadm-restore, on any ipvs.Table: the same options, exit statuses,
// messages and layouts, so that scripts and other programs need not notice.
// Package persist/adm understands the command lines; here they are carried out.
//
// What is wrong in ipvsadm without anybody relying on it is right here. Every
// difference stands in docs/ipvsadm.md, and as an exception in the twin test,
// which runs both programs side by side on a real kernel.
//
// Out of scope: terminals, and files but for those that names are looked up in.
package ipvsadm
