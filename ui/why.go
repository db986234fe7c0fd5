package ui

func whyCommands() []command { return nil }
