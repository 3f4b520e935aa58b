resource "test_thing" "a" {
  name = "a"
  zone = "x"
}

resource "test_thing" "b" {
  name = "b"
  zone = test_thing.a.id
}

resource "test_thing" "c" {
  name = "c"
  zone = test_thing.b.id
  lifecycle {
    create_before_destroy = true
  }
}

resource "test_thing" "d" {
  name = "d"
  zone = test_thing.c.id
}
