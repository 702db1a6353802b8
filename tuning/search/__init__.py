"""Finding a recipe within a budget of time: trials of it, judged by answers that are held out."""
