"""The password of everybody in tests, hashed once, cheaply: what argon2id costs is not what these tests are about."""
from argon2 import PasswordHasher

PASSWORD = "Dengta2026"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
