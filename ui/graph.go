package ui

func graphCommands() []command { return nil }
