"""From raw records to answers: normalize, then identity, journey, attribution and marts, in this order."""
