"""What Valetkey is measured beside when it serves: one module starts and stops one of them."""
