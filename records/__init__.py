"""What the four parts share: tables, repositories, message form, errors. Imports none of them."""
