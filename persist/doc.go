// Package persist keeps what outlives the process: the journal of plans with
// the lock that lets one run at a time, snapshots of the rules, the weights of
// drained servers, the operators' names and notes, and files of lines.
//
// All of it lies in one directory (DefaultDir) with mode 0700, in files with
// mode 0600. Files are replaced whole (WriteFile) or appended to line by line
// (the journal, Lines), and each change is on disk before the call returns, so that a
// kill or a power cut leaves either the old or the new, and at most a torn last
// line that readers pass over.
//
// The journal knows plans as titles and opaque steps: what a step is and how it
// is finished or taken back is package ops/plan's. Out of scope: the rules
// language (persist/adm), and the host's own boot files but for their place.
package persist
