"""What is read from the tables of posts: SQL, and no rule."""
