"""The host side of the OSGP end device: a power line, a concentrator, images, one command
`osgp`."""
