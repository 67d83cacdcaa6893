"""Who may do what: decisions that keep their reason. Pure: every fact arrives as an argument."""
