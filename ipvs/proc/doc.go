// Package proc reads the virtual server table from the text files in /proc/net,
// which every user may read. The parsers are pure; Reader keeps the files open
// and answers as an ipvs.Reader for users without CAP_NET_ADMIN. The genetlink
// client reads the same files for its overview, because one of them holds the
// whole table at a fraction of the price.
//
// Kernels before 7.1 lose services from the text when other network namespaces
// have some too: the read of each page starts at a place counted over all
// namespaces (ip_vs_info_seq_next), and looks for it in its own
// (ip_vs_info_array). Nothing in the text shows that; only netlink does.
//
// Out of scope: the connection list (/proc/net/ip_vs_conn), and every change.
package proc
