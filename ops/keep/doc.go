// Package keep keeps a director's rules: saves them to a file, compares what
// runs with what is saved, restores a file or a snapshot, and lists the
// snapshots that are kept before every plan.
//
// A comparison is the plan that would make the running rules those of the file.
// So the difference that is shown, the preview and the restore are one thing,
// and what is equal is never touched.
//
// Out of scope: how rules are written (persist/adm), how files are replaced
// (persist) and how plans are run (ops/plan).
package keep
