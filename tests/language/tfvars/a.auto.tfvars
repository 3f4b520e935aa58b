auto_wins       = "${"a"}uto"
later_auto_wins = 2
