"""What several processes on one data folder share: locks, and counters that say what has changed."""
