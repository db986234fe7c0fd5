// Package adm is the language of ipvsadm 1.31: its command lines as data, and
// files of rules.
//
// Parse reads a command line exactly as ipvsadm does, slips included, and
// refuses with its words and exit status. ReadRules reads files of rules in the
// same language but forgives nothing that ipvsadm misunderstands, says what is
// wrong at which line and column, and gives nothing until all is right.
// WriteRules writes what both read. Format writes single rules, also in the
// form of "ipvsadm -S", which loses thresholds, timeouts and daemons.
//
// Out of scope: doing any of it (see ops/ipvsadm), listings, and the files
// themselves. The package does no I/O but on the readers and writers it is
// given, and looks no name up but through Names.
package adm
