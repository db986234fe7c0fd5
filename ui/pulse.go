package ui

func pulseCommands() []command { return nil }
