"""People correct the judge (Sec. 3.2): which answers they are asked about, and how far judge and people agree."""
