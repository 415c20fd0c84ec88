"""Where things stand in the picture."""

from services.animatic.film.stage import Stage

LOW = {"dawn": 0.16, "dusk": 0.1, "day": 0.62, "night": 0.66}


def light_place(stage: Stage, horizon: float) -> tuple[float, float] | None:
    """On a third of the picture; low at dawn and dusk. Nothing shines through storm, rain or snow by day."""
    reading = stage.reading
    if reading.weather in ("storm", "rain") or (reading.weather == "snow" and reading.time != "night"):
        return None
    if reading.time == "night" and not reading.has("moon") and reading.has("aurora", "fire"):
        return None
    random = stage.dice("light")
    third = (0.3 if random.random() < 0.5 else 0.7) + random.uniform(-0.05, 0.05)
    height = LOW[reading.time] + random.uniform(-0.03, 0.05)
    return stage.width * third, horizon - height * min(horizon, stage.unit * 0.8)
