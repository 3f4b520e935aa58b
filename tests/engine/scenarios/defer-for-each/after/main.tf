resource "test_thing" "a" {
  name = "a"
}

resource "test_thing" "b" {
  for_each = toset([test_thing.a.id])
  name = "b-${each.key}"
}
