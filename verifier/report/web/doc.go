// Package web shows the data bureau's reports in a browser: Write makes a page in one file that can
// be mailed, printed or put anywhere, and a Shelf serves the finished reports of a directory.
//
// A page has both languages, Chinese first, the mode for older people, light and dark, and charts of
// its figures (package charts draws the bars) beside the tables that say the same. It fetches nothing,
// from nowhere: its style and its script are in it, and its Content-Security-Policy names them by
// their hashes and allows nothing else. All that a report says is text in it, never markup.
//
// The package computes no figure: package report does. A Shelf serves reports in JSON that report.Parse
// takes, and nothing else that is in its directory; what it sends is made here.
package web
