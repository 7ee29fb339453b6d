
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rooms', '0007_back_office_indexes'),
    ]

    operations = [
        migrations.CreateModel(
            name='MembershipOwed',
            fields=[
                ('participant', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='rooms.participant')),
                ('owed_since', models.DateTimeField()),
            ],
        ),
    ]
