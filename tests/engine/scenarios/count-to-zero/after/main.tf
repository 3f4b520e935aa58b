resource "test_thing" "a" {
  count = 0
  name = "a${count.index}"
}
