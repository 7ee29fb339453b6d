import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rooms", "0003_submitted_results"), ("rounds", "0002_contest_functions")]

    operations = [
        migrations.AddField(
            model_name="session",
            name="contest",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="session",
                to="rounds.contest",
            ),
        ),
    ]
