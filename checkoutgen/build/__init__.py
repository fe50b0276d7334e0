"""Spec -> shop: `render` is pure, `plan` compares with what stands on disk, `apply` writes all of it or nothing."""
