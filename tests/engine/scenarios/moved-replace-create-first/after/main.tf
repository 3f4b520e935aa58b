resource "test_thing" "b" {
  name = "a"
  zone = "y"
  lifecycle {
    create_before_destroy = true
  }
}

moved {
  from = test_thing.a
  to   = test_thing.b
}
