"""The figures of a period: what one operator had to take, and what the house promises. Pure: facts in, figures out."""
