from django.db import migrations, models
from django.db.models import F, Q


def within(first: str, last: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q((f"{first}__gte", 1), (f"{first}__lte", F(last))), name="seal_range_in_order"
    )


class Migration(migrations.Migration):
    dependencies = [("payments", "0009_crowd_adjustments")]

    operations = [
        # The columns keep their names: only the models' own words change.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint("ledgerseal", "seal_range_in_order"),
                migrations.RenameField("ledgerseal", "first_transfer_id", "first_id"),
                migrations.RenameField("ledgerseal", "last_transfer_id", "last_id"),
                *(
                    migrations.AlterField(
                        "ledgerseal", f"{end}_id", models.BigIntegerField(unique=True, db_column=f"{end}_transfer_id")
                    )
                    for end in ("first", "last")
                ),
                migrations.AddConstraint("ledgerseal", within("first_id", "last_id")),
            ]
        ),
        migrations.AddField("ledgerseal", "version", models.PositiveSmallIntegerField(default=2, db_default=1)),
        migrations.AddField("ledgerseal", "key_id", models.CharField(max_length=16, blank=True, db_default="")),
        migrations.AddField("ledgerseal", "content_digest", models.CharField(max_length=64, blank=True, db_default="")),
    ]
