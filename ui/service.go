package ui

func serviceCommands() []command { return nil }
