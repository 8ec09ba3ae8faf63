"""Who is who: one person, account and deal over all systems, by evidence that can be shown."""
