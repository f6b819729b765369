"""How much memory there is to take."""


def free_memory() -> float:
    """Returns the bytes that are free on the machine, or the container's limit if it is lower."""
    with open("/proc/meminfo", encoding="ascii") as file:
        kib = next(int(line.split()[1]) for line in file if line.startswith("MemAvailable:"))
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
            limit = float(file.read().replace("max", "inf"))
    except FileNotFoundError:
        limit = float("inf")
    return min(kib * 1024, limit)
