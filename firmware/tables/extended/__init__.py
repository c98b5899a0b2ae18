"""The extended (manufacturer) tables of OSGP."""
