"""What each person did: touchpoints with their channel, passings of funnel stages, and all of it in one order."""
