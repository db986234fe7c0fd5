package ui

func replayCommands() []command { return nil }
