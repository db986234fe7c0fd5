// Package proc reads the virtual server table and its connections from the text
// files in /proc/net, which every user may read. The parsers are pure; Reader
// keeps the files open and answers as an ipvs.Reader for users without
// CAP_NET_ADMIN. The genetlink client reads the same files for its overview,
// because one of them holds the whole table at a fraction of the price.
//
// Kernels before 7.1 lose services from the text when other network namespaces
// have some too: the read of each page starts at a place counted over all
// namespaces (ip_vs_info_seq_next), and looks for it in its own
// (ip_vs_info_array). Nothing in the text shows that; only netlink does.
//
// The connections are a stream, Conns, since there can be millions. Kernels
// before 6.14 look for the beginning of each page of it from the table's own
// beginning (ip_vs_conn_array), so that reading them costs the square of their
// number: 35,000 in the first second, a million in most of an hour.
//
// Out of scope: what connections add up to, and every change.
package proc
