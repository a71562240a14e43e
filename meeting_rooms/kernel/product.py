"""What the product is called, wherever a program or a person reads it."""

PRODUCT_NAME = "Meeting Rooms"
