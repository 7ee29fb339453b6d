from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_pots")]

    # Pots, allowances and jobs are updated in place, in columns no index holds: room in the page keeps that cheap.
    operations = [
        migrations.RunSQL(f"ALTER TABLE {table} SET (fillfactor = {percent})", reverse_sql=migrations.RunSQL.noop)
        for table, percent in (("payments_pot", 80), ("payments_allowance", 70), ("payments_job", 80))
    ]
