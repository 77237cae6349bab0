"""The page of one organization, a file for each of its tabs."""
