package ui

func checksCommands() []command { return nil }
