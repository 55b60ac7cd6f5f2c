"""The paper in miniature: every experiment of the paper on small problems whose answers a rule can grade."""
