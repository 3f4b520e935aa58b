resource "test_thing" "c" {
  name = "a"
}

moved {
  from = test_thing.a
  to   = test_thing.b
}

moved {
  from = test_thing.b
  to   = test_thing.c
}
