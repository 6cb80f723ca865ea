"""What a person chose for themselves."""

from django.conf import settings
from django.db import models


class Profile(models.Model):
    class Theme(models.TextChoices):
        SYSTEM = "system", "As my system"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    class Density(models.TextChoices):
        REGULAR = "regular", "Regular (40 px rows)"
        COMPACT = "compact", "Compact (32 px rows)"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="profile"
    )
    # Empty: the dashboard's TIME_ZONE.
    time_zone = models.CharField(max_length=64, blank=True)
    theme = models.CharField(max_length=10, choices=Theme, default=Theme.SYSTEM)
    density = models.CharField(max_length=10, choices=Density, default=Density.REGULAR)

    def __str__(self) -> str:
        return f"profile of user {self.user_id}"
