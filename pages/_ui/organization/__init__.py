"""The tabs of the page of one organization, a file each."""
