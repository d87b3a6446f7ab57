"""Queue disciplines: one file each, over QUEUE records; dispatch.py is the way in, build.py lays them out."""
