"""Points where they tell most: posteriors, choices and checks for runs that choose their next point by themselves."""
