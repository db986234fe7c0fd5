package ui

func exportCommands() []command { return nil }
