"""The name of the product, for pages, documents and log lines."""

PRODUCT_NAME = "Meeting Rooms"
