package ui

func alarmCommands() []command { return nil }
