"""The goods of the shop: fixed data, so that every recording tells of the same shop."""

NAMES = ["Trail shoe", "Rain jacket", "Head lamp", "Water bottle", "Sleeping bag", "Camp stove", "Trekking poles", "Dry bag",
         "Merino shirt", "Rope 60 m", "Helmet", "Harness", "Map case", "Gas canister", "Tent 2P", "Ground mat"]
CATEGORIES = ["footwear", "clothing", "light", "kitchen", "sleep", "climbing"]
PRODUCTS = {
    f"SKU-{1000 + i * 7}": {"sku": f"SKU-{1000 + i * 7}", "name": name, "category": CATEGORIES[i % len(CATEGORIES)],
                            "price": 1290 + i * 830, "currency": "EUR"}
    for i, name in enumerate(NAMES)
}
RETIRED = ["SKU-0990", "SKU-0997"]
