# Means of the cities, and what they tell.
import json

cities = {}
for line in open("/in/readings/table"):
    city, celsius = line.split(",")
    cities.setdefault(city, []).append(float(celsius))
means = {city: sum(values) / len(values) for city, values in cities.items()}
with open("/out/table", "w") as table:
    table.writelines(f"{city},{mean:.1f}\n" for city, mean in sorted(means.items()))
with open("/out/figures", "w") as figures:
    json.dump({"warmest": max(means, key=means.get), "mean": round(sum(means.values()) / len(means), 1)}, figures)
