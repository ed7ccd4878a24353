"""Back ends, one file each: `find(root)` gives a meter, or says what is amiss."""
