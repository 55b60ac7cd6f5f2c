"""How fast the store is beside what people would use instead, on material that is made here."""
