resource "test_thing" "b" {
  name = "a"
  size = 1
}

moved {
  from = test_thing.a
  to   = test_thing.b
}
